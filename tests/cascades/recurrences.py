"""Linear attention, delta rules, scans and recurrences."""
from softmax import *
ar=np.arange
def lin(name, header, outs, body, ins, ref, **kw): case(name, "cascade c(%s) -> (%s) {\n%s\n}\n" % (header, outs, body), ins, ref, **kw)
QKVT="Q[H,T,E] : f32, K[H,T,E] : f32, V[H,T,F] : f32"
def tq(r,H=2,T=19,E=6,F=5,**kw):
    d=dict(Q=n(r,H,T,E),K=n(r,H,T,E),V=n(r,H,T,F)); d.update({k:v(r) if callable(v) else v for k,v in kw.items()}); return d
def scan(i, dec, q=None, k=None, S0=None, v=None):
    q=i.Q if q is None else q; k=i.K if k is None else k; v=i.V if v is None else v
    H,T,E=k.shape; F=v.shape[-1]; S=np.zeros((H,E,F)) if S0 is None else S0.copy(); o=[]
    for t in range(T):
        S=dec(t)*S+k[:,t,:,None]*v[:,t,None,:]; o.append(E_("he,hef->hf",q[:,t],S))
    return np.stack(o,1) if o else np.zeros((H,0,F)), S
lin("lin_plain", QKVT, "O[H,T,F] : f32", "S[h,t,e,f] = S[h,t-1,e,f] + K[h,t,e]*V[h,t,f] init 0\nO[h,t,f] = Q[h,t,e]*S[h,t,e,f]", tq, lambda i: dict(O=scan(i,lambda t:1.)[0]))
lin("lin_else", QKVT, "O[H,T,F] : f32", "S[h,t,e,f] = 0.9*(S[h,t-1,e,f] else 0) + K[h,t,e]*V[h,t,f]\nO[h,t,f] = Q[h,t,e]*S[h,t,e,f]", tq, lambda i: dict(O=scan(i,lambda t:.9)[0]))
lin("lin_if", QKVT, "O[H,T,F] : f32", "S[h,t,e,f] = (if t == 0 then 0 else 0.9*S[h,t-1,e,f]) + K[h,t,e]*V[h,t,f]\nO[h,t,f] = Q[h,t,e]*S[h,t,e,f]", tq, lambda i: dict(O=scan(i,lambda t:.9)[0]))
lin("lin_decay_state", QKVT+", G[H,T] : f32, S0[H,E,F] : f32 = 0", "O[H,T,F] : f32, ST[H,E,F] : f32", "S[h,t,e,f] = exp(G[h,t])*S[h,t-1,e,f] + K[h,t,e]*V[h,t,f] init S0[h,e,f]\nO[h,t,f] = Q[h,t,e]*S[h,t,e,f]\nST[h,e,f]=S[h,|T|-1,e,f]", lambda r: tq(r,G=lambda r:-r.random((2,19)),S0=lambda r:n(r,2,6,5)), lambda i: (lambda x: dict(O=x[0],ST=x[1]))(scan(i,lambda t:np.exp(i.G[:,t])[:,None,None],S0=i.S0)))
lin("lin_T0", QKVT+", S0[H,E,F] : f32", "O[H,T,F] : f32, ST[H,E,F] : f32", "S[h,t,e,f] = 0.5*S[h,t-1,e,f] + K[h,t,e]*V[h,t,f] init S0[h,e,f]\nO[h,t,f] = Q[h,t,e]*S[h,t,e,f]\nST[h,e,f]=S[h,|T|-1,e,f]", lambda r: tq(r,T=0,S0=lambda r:n(r,2,6,5)), lambda i: dict(O=np.zeros((2,0,5)),ST=i.S0))
lin("gla", QKVT+", G[H,T,E] : f32", "O[H,T,F] : f32", "S[h,t,e,f] = exp(log_sigmoid(G[h,t,e])/16)*S[h,t-1,e,f] + K[h,t,e]*V[h,t,f] init 0\nO[h,t,f] = Q[h,t,e]*S[h,t,e,f]/sqrt(|E|)", lambda r: tq(r,G=lambda r:n(r,2,19,6)), lambda i: dict(O=scan(i,lambda t:((1/(1+np.exp(-i.G[:,t])))**(1/16))[:,:,None])[0]/np.sqrt(6)))
lin("rwkv6", QKVT+", W[H,T,E] : f32, u[H,E] : f32", "O[H,T,F] : f32", "O[h,t,f] = sum[e] Q[h,t,e]*(S[h,t-1,e,f] + u[h,e]*K[h,t,e]*V[h,t,f])\nS[h,t,e,f] = exp(-exp(W[h,t,e]))*S[h,t-1,e,f] + K[h,t,e]*V[h,t,f] init 0", lambda r: tq(r,W=lambda r:n(r,2,19,6),u=lambda r:n(r,2,6)),
 lambda i: (lambda f: dict(O=f()))(lambda: np.stack([*(lambda S,o: ([o.append(E_("he,hef->hf",i.Q[:,t],S[0]+i.u[:,:,None]*i.K[:,t,:,None]*i.V[:,t,None])) or S.__setitem__(0,np.exp(-np.exp(i.W[:,t]))[:,:,None]*S[0]+i.K[:,t,:,None]*i.V[:,t,None]) for t in range(19)],o)[1])([np.zeros((2,6,5))],[])],1)))
def delta(i,dec=None):
    H,T,E=i.K.shape; S=np.zeros((H,E,i.V.shape[-1])); o=[]
    for t in range(T):
        if dec is not None: S=S*dec(t)
        u=i.B[:,t,None]*(i.V[:,t]-E_("he,hef->hf",i.K[:,t],S)); S=S+i.K[:,t,:,None]*u[:,None]; o.append(E_("he,hef->hf",i.Q[:,t],S))
    return dict(O=np.stack(o,1))
unit=lambda r,*s: (lambda x:x/np.linalg.norm(x,axis=-1,keepdims=True))(n(r,*s))
lin("delta_rule", QKVT+", B[H,T] : f32", "O[H,T,F] : f32", "P[h,t,f] = sum[e] K[h,t,e]*S[h,t-1,e,f]\nS[h,t,e,f] = S[h,t-1,e,f] + B[h,t]*K[h,t,e]*(V[h,t,f]-P[h,t,f]) init 0\nO[h,t,f] = Q[h,t,e]*S[h,t,e,f]", lambda r: tq(r,K=lambda r:unit(r,2,19,6),B=lambda r:r.random((2,19))), delta)
lin("kda", QKVT+", B[H,T] : f32, G[H,T,E] : f32", "O[H,T,F] : f32", "R[h,t,e,f]=exp(G[h,t,e])*S[h,t-1,e,f]\nU[h,t,f]=B[h,t]*(V[h,t,f]-sum[e] K[h,t,e]*R[h,t,e,f])\nS[h,t,e,f]=R[h,t,e,f]+K[h,t,e]*U[h,t,f] init 0\nO[h,t,f]=Q[h,t,e]*S[h,t,e,f]", lambda r: tq(r,K=lambda r:unit(r,2,19,6),B=lambda r:r.random((2,19)),G=lambda r:-r.random((2,19,6))), lambda i: delta(i,lambda t:np.exp(i.G[:,t])[:,:,None]))
lin("delta_normk", QKVT+", B[H,T] : f32", "O[H,T,F] : f32", "k[h,t,e]=l2_normalize(silu(K[h,t,e]), 0.000001; e)\nb[h,t]=sigmoid(B[h,t])\nS[h,t,e,f] = S[h,t-1,e,f] + b[h,t]*k[h,t,e]*(V[h,t,f]-sum[i in E] k[h,t,i]*S[h,t-1,i,f]) init 0\nO[h,t,f] = Q[h,t,e]*S[h,t,e,f]".replace("k[h","kn[h").replace("b[h","bt[h"), lambda r: tq(r,B=lambda r:n(r,2,19)), lambda i: delta(NS(Q=i.Q,V=i.V,K=(lambda s:s/np.sqrt((s*s).sum(-1,keepdims=True)+1e-6))(i.K/(1+np.exp(-i.K))),B=1/(1+np.exp(-i.B)))))
def rwkv7(i):
    H,T,E=i.K.shape; S=np.zeros((H,E,i.V.shape[-1])); o=[]
    for t in range(T):
        p=E_("he,hef->hf",i.A[:,t],S); S=i.D[:,t,:,None]*S+i.Bb[:,t,:,None]*p[:,None]+i.K[:,t,:,None]*i.V[:,t,None]; o.append(E_("he,hef->hf",i.Q[:,t],S))
    return dict(O=np.stack(o,1))
lin("dplr", QKVT+", A[H,T,E] : f32, Bb[H,T,E] : f32, D[H,T,E] : f32", "O[H,T,F] : f32", "p[h,t,f]=sum[e] A[h,t,e]*S[h,t-1,e,f]\nS[h,t,e,f]=D[h,t,e]*S[h,t-1,e,f]+Bb[h,t,e]*p[h,t,f]+K[h,t,e]*V[h,t,f] init 0\nO[h,t,f]=Q[h,t,e]*S[h,t,e,f]".replace("p[h","pp[h"), lambda r: tq(r,A=lambda r:-unit(r,2,19,6),Bb=lambda r:.5*unit(r,2,19,6),D=lambda r:r.random((2,19,6))), rwkv7)
def ema(a,u,rev=False):
    h=np.zeros(u.shape[1:]); o=np.zeros_like(u)
    for t in (range(len(u))[::-1] if rev else range(len(u))): h=a[t]*h+u[t]; o[t]=h
    return o
lin("ema_fwd_bwd", "A[T,X] : f32, U[T,X] : f32", "O[T,X] : f32", "F[t,x]=A[t,x]*F[t-1,x]+U[t,x] init 0\nB[t,x]=A[t,x]*B[t+1,x]+U[t,x] init 0\nO[t,x]=F[t,x]+B[t,x]-U[t,x]", lambda r: dict(A=r.random((23,5)),U=n(r,23,5)), lambda i: dict(O=ema(i.A,i.U)+ema(i.A,i.U,True)-i.U))
lin("bidir_lin", QKVT, "O[H,T,F] : f32", "S[h,t,e,f]=0.8*S[h,t-1,e,f]+K[h,t,e]*V[h,t,f] init 0\nR[h,t,e,f]=0.8*R[h,t+1,e,f]+K[h,t,e]*V[h,t,f] init 0\nO[h,t,f]=sum[e] Q[h,t,e]*(S[h,t,e,f]+R[h,t,e,f])", tq, lambda i: dict(O=scan(i,lambda t:.8)[0]+scan(NS(Q=i.Q[:,::-1],K=i.K[:,::-1],V=i.V[:,::-1]),lambda t:.8)[0][:,::-1]))
lin("lag2", "U[T] : f32", "H[T] : f32", "H[t]=0.5*H[t-1]-0.25*H[t-2]+U[t] init 1", lambda r: dict(U=n(r,15)), lambda i: (lambda h: [h.append(.5*h[-1]-.25*h[-2]+u) for u in i.U] and dict(H=h[2:]))([1.,1.]))
lin("lag2_init_var", "U[T,X] : f32, a[X] : f32", "H[T,X] : f32", "H[t,x]=0.5*H[t-1,x]+0.1*H[t-3,x]+U[t,x] init a[x]*x", lambda r: dict(U=n(r,15,4),a=n(r,4)), lambda i: (lambda h: [h.append(.5*h[-1]+.1*h[-3]+u) for u in i.U] and dict(H=h[3:]))([i.a*ar(4)]*3))
lin("mutual", "U[T] : f32", "A[T] : f32, B[T] : f32", "A[t]=0.5*B[t-1]+U[t]\nB[t]=tanh(A[t])-0.2*B[t-1] init 0.5", lambda r: dict(U=n(r,15)), lambda i: (lambda A,B:[(A.append(.5*B[-1]+u),B.append(np.tanh(A[-1])-.2*B[-1])) for u in i.U] and dict(A=A,B=B[1:]))([],[.5]))
lin("lstm", "X[T,D] : f32, Wi[D,N] : f32, Wh[N,N] : f32", "H[T,N] : f32", "Z[t,n]=(sum[d] X[t,d]*Wi[d,n])+sum[k in N] Wh[k,n]*H[t-1,k]\nC[t,n]=sigmoid(Z[t,n])*C[t-1,n]+tanh(Z[t,n]) init 0\nH[t,n]=tanh(C[t,n])*sigmoid(-Z[t,n]) init 0", lambda r: dict(X=n(r,9,4),Wi=n(r,4,6),Wh=n(r,6,6)*.4), lambda i: (lambda H,h,c: ([H.append((lambda z: (c.__setitem__(0,1/(1+np.exp(-z))*c[0]+np.tanh(z)),h.__setitem__(0,np.tanh(c[0])/(1+np.exp(z))),h[0])[2])(x@i.Wi+h[0]@i.Wh)) for x in i.X],dict(H=np.array(H)))[1])([],[np.zeros(6)],[np.zeros(6)]))
lin("cumsum_decay", QKVT+", G[H,T] : f32", "O[H,T,F] : f32", "C[h,t]=cumsum[t] G[h,t]\nA[h,t,u in T]=(sum[e] Q[h,t,e]*K[h,u,e])*exp(C[h,t]-C[h,u]) where u <= t\nO[h,t,f]=sum[u in T] A[h,t,u]*V[h,u,f]", lambda r: tq(r,G=lambda r:-r.random((2,19))), lambda i: dict(O=scan(i,lambda t:np.exp(i.G[:,t])[:,None,None])[0]))
lin("fox", QKVT+", G[H,T] : f32", "O[H,T,F] : f32", "C[h,t]=cumsum[t] log_sigmoid(G[h,t])\nS[h,t,u in T]=(sum[e] Q[h,t,e]*K[h,u,e])/sqrt(|E|)+C[h,t]-C[h,u] where u <= t\nA[h,t,u in T]=softmax(S[h,t,u]; u)\nO[h,t,f]=sum[u in T] A[h,t,u]*V[h,u,f]", lambda r: tq(r,G=lambda r:n(r,2,19)), lambda i: (lambda C: dict(O=sm(E_("hte,hue->htu",i.Q,i.K)/np.sqrt(6)+C[:,:,None]-C[:,None],causal(19,19))@i.V))(np.cumsum(-np.log1p(np.exp(-i.G)),1)), passes=("T",3,1))
lin("fox_norm_lin", QKVT, "O[H,T,F] : f32", "phiq[h,t,e]=elu(Q[h,t,e])+1\nphik[h,t,e]=elu(K[h,t,e])+1\nS[h,t,e,f]=S[h,t-1,e,f]+phik[h,t,e]*V[h,t,f] init 0\nZ[h,t,e]=Z[h,t-1,e]+phik[h,t,e] init 0\nO[h,t,f]=(sum[e] phiq[h,t,e]*S[h,t,e,f])/((sum[e] phiq[h,t,e]*Z[h,t,e])+0.000001)", tq, lambda i: (lambda fq,fk: (lambda W: dict(O=W@i.V/(W.sum(-1,keepdims=True)+1e-6)))(E_("hte,hue->htu",fq,fk)*causal(19,19)))(*[np.where(x>0,x+1,np.exp(np.minimum(x,0))) for x in (i.Q,i.K)]))
lin("quad_lin_noncausal", QKVT, "O[H,T,F] : f32", "KV[h,e,f]=relu(K[h,t,e])*V[h,t,f]\nZ[h,e]=sum[t] relu(K[h,t,e])\nO[h,t,f]=(sum[e] relu(Q[h,t,e])*KV[h,e,f])/((sum[e] relu(Q[h,t,e])*Z[h,e])+0.001)".replace("KV[h,e,f]=relu(K[h,t,e])*V[h,t,f]","KV[h,e,f]=sum[t] relu(K[h,t,e])*V[h,t,f]"), tq, lambda i: (lambda W: dict(O=W@i.V/(W.sum(-1,keepdims=True)+1e-3)))(E_("hte,hue->htu",np.maximum(i.Q,0),np.maximum(i.K,0))))
lin("chunk_semantic", QKVT, "O[H,T,F] : f32", "split T = (N, C = 4)\nSB[h,n,e,f]=SB[h,n-1,e,f]+(sum[c] K[h,(n,c),e]*V[h,(n,c),f]) init 0\nA[h,n,c,d in C]=sum[e] Q[h,(n,c),e]*K[h,(n,d),e] where d <= c\nO[h,(n,c),f]=(sum[e] Q[h,(n,c),e]*SB[h,n-1,e,f])+sum[d in C] A[h,n,c,d]*V[h,(n,d),f]", tq, lambda i: dict(O=scan(i,lambda t:1.)[0]))
lin("chunk_titans", QKVT+", th[T] : f32", "O[H,T,F] : f32", "split T = (N, C = 4)\nE1[h,n,c,f]=(sum[e] K[h,(n,c),e]*M[h,n-1,e,f])-V[h,(n,c),f]\nM[h,n,e,f]=0.9*M[h,n-1,e,f]-sum[c] th[(n,c)]*K[h,(n,c),e]*E1[h,n,c,f] init 0\nO[h,(n,c),f]=sum[e] Q[h,(n,c),e]*M[h,n,e,f]", lambda r: tq(r,K=lambda r:unit(r,2,19,6),th=lambda r:r.random(19)*.5),
 lambda i: (lambda M,o: ([(lambda s: (M.__setitem__(0,.9*M[0]-E_("c,hce,hcf->hef",i.th[s],i.K[:,s],i.K[:,s]@M[0]-i.V[:,s])),o.append(i.Q[:,s]@M[0])))(slice(4*k,min(4*k+4,19))) for k in range(5)],dict(O=np.concatenate(o,1)))[1])([np.zeros((2,6,5))],[]))
def online(i,C=4,M=18):
    A=sm(i.Q@i.K.T); return dict(O=A@i.V)
lin("online_written", "Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32", "O[P,F] : f32", """split M = (N, C = 4)
S[p,m]=Q[p,e]*K[m,e]
X[p,n]=max(X[p,n-1], max[c] S[p,(n,c)]) init -inf
W[p,n,c]=exp(S[p,(n,c)]-X[p,n])
R[p,n]=if X[p,n-1] == -inf then 0 else exp(X[p,n-1]-X[p,n])
D[p,n]=D[p,n-1]*R[p,n]+sum[c] W[p,n,c] init 0
Y[p,n,f]=Y[p,n-1,f]*R[p,n]+sum[c] W[p,n,c]*V[(n,c),f] init 0
O[p,f]=Y[p,|N|-1,f]/D[p,|N|-1] where D[p,|N|-1] > 0""", lambda r: qkv(r,M=18), online, passes=("M",1,1))
lin("online_token", "Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32", "O[P,F] : f32", """S[p,m]=Q[p,e]*K[m,e]
X[p,m]=max(X[p,m-1], S[p,m]) init -inf
R[p,m]=exp(X[p,m-1]-X[p,m])
D[p,m]=D[p,m-1]*R[p,m]+exp(S[p,m]-X[p,m]) init 0
Y[p,m,f]=Y[p,m-1,f]*R[p,m]+exp(S[p,m]-X[p,m])*V[m,f] init 0
O[p,f]=Y[p,|M|-1,f]/D[p,|M|-1]""", lambda r: qkv(r,M=18), online, passes=("M",1,1))
lin("cummax_form", "Q[T,E] : f32, K[T,E] : f32, V[T,F] : f32", "O[T,F] : f32, Mx[T,T] : f32", "S[t,u in T]=sum[e] Q[t,e]*K[u,e] where u <= t\nMx[t,u in T]=cummax[u] S[t,u]\nA[t,u in T]=softmax(S[t,u]; u)\nO[t,f]=sum[u in T] A[t,u]*V[u,f]", lambda r: dict(Q=n(r,11,4),K=n(r,11,4),V=n(r,11,3)), lambda i: (lambda S: dict(O=sm(S,causal(11,11))@i.V,Mx=np.where(causal(11,11),np.maximum.accumulate(S,1),0)))(i.Q@i.K.T))
lin("stickbreak", "Q[T,E] : f32, K[T,E] : f32, V[T,F] : f32", "O[T,F] : f32", "S[t,u in T]=sum[e] Q[t,e]*K[u,e] where u < t\nL[t,u in T]=log_sigmoid(-S[t,u])\nC[t,u in T]=cumsum[u] L[t,u]\nTot[t]=sum[u in T] L[t,u]\nA[t,u in T]=exp(log_sigmoid(S[t,u])+Tot[t]-C[t,u])\nO[t,f]=sum[u in T] A[t,u]*V[u,f]", lambda r: dict(Q=n(r,11,4),K=n(r,11,4),V=n(r,11,3)),
 lambda i: dict(O=(lambda S: np.stack([sum([1/(1+np.exp(-S[t,u]))*np.prod([1/(1+np.exp(S[t,w])) for w in range(u+1,t)])*i.V[u] for u in range(t)],np.zeros(3)) for t in range(11)]))(i.Q@i.K.T)))
lin("cycle_ult", "A[T,T] : f32, V[T,F] : f32, b[T] : f32", "U[T,F] : f32", "U[t,f]=V[t,f]-b[t]*sum[u where u < t] A[t,u]*U[u,f]".replace("sum[u where","sum[u in T where"), lambda r: dict(A=n(r,9,9)*.3,V=n(r,9,4),b=n(r,9)), lambda i: dict(U=np.linalg.solve(np.eye(9)+i.b[:,None]*np.tril(i.A,-1),i.V)))
lin("solve_inverse", "A[C,C] : f32", "X[C,C] : f32", "X[r in C,s in C]=(if r == s then 1 else 0) - sum[u in C where u < r] A[r,u]*X[u,s]", lambda r: dict(A=n(r,8,8)*.3), lambda i: dict(X=np.linalg.inv(np.eye(8)+np.tril(i.A,-1))))
lin("back_cycle", "A[T,T] : f32, V[T,F] : f32", "U[T,F] : f32", "U[t,f]=V[t,f]-sum[u in T where u > t] A[t,u]*U[u,f]", lambda r: dict(A=n(r,9,9)*.3,V=n(r,9,4)), lambda i: dict(U=np.linalg.solve(np.eye(9)+np.triu(i.A,1),i.V)))
lin("two_rank", "A[X,Y] : f32", "S[X,Y] : f32", "S[x,y]=A[x,y]+0.5*(S[x-1,y] else 0)+0.25*(S[x,y-1] else 0)", lambda r: dict(A=n(r,7,6)), lambda i: (lambda S: ([S.__setitem__((x,y),i.A[x,y]+(.5*S[x-1,y] if x else 0)+(.25*S[x,y-1] if y else 0)) for x in range(7) for y in range(6)],dict(S=S))[1])(np.zeros((7,6))))
lin("two_rank_lcs", "a[X] : i32, b[Y] : i32", "L[X,Y] : i32", "L[x,y]=if a[x] == b[y] then (L[x-1,y-1] else 0) + 1 else max((L[x-1,y] else 0), (L[x,y-1] else 0))", lambda r: dict(a=r.integers(0,3,8),b=r.integers(0,3,9)), lambda i: (lambda S: ([S.__setitem__((x+1,y+1),S[x,y]+1 if i.a[x]==i.b[y] else max(S[x,y+1],S[x+1,y])) for x in range(8) for y in range(9)],dict(L=S[1:,1:]))[1])(np.zeros((9,10))))
lin("mamba1", "U[T,D] : f32, dt[T,D] : f32, A[D,N] : f32, B[T,N] : f32, C[T,N] : f32, Dd[D] : f32", "Y[T,D] : f32", "d[t,x in D]=softplus(dt[t,x])\nH[t,x in D,n]=exp(d[t,x]*A[x,n])*H[t-1,x,n]+d[t,x]*B[t,n]*U[t,x] init 0\nY[t,x in D]=(sum[n] C[t,n]*H[t,x,n])+Dd[x]*U[t,x]".replace("d[t,x","dl[t,x"), lambda r: dict(U=n(r,13,4),dt=n(r,13,4),A=-r.random((4,3)),B=n(r,13,3),C=n(r,13,3),Dd=n(r,4)),
 lambda i: (lambda dl: (lambda h: dict(Y=E_("tn,txn->tx",i.C,h)+i.Dd*i.U))(ema(np.exp(dl[:,:,None]*i.A),dl[:,:,None]*i.B[:,None]*i.U[:,:,None])))(np.log1p(np.exp(i.dt))))
lin("mamba2_groups", "X[T,H,P] : f32, dt[T,H] : f32, A[H] : f32, B[T,G,N] : f32, C[T,G,N] : f32", "Y[T,H,P] : f32", "split H = (G, R)\nS[t,g,r,p,n]=exp(dt[t,(g,r)]*A[(g,r)])*S[t-1,g,r,p,n]+dt[t,(g,r)]*X[t,(g,r),p]*B[t,g,n] init 0\nY[t,(g,r),p]=C[t,g,n]*S[t,g,r,p,n]", lambda r: dict(X=n(r,13,4,3),dt=r.random((13,4)),A=-r.random(4),B=n(r,13,2,5),C=n(r,13,2,5)),
 lambda i: (lambda h: dict(Y=E_("thn,thpn->thp",np.repeat(i.C,2,1),h)))(ema(np.exp(i.dt*i.A)[:,:,None,None],(i.dt[:,:,None]*i.X)[...,None]*np.repeat(i.B,2,1)[:,:,None])))
lin("retention_par", QKVT+", gam[H] : f32", "O[H,T,F] : f32", "A[h,t,u in T]=(sum[e] Q[h,t,e]*K[h,u,e])*gam[h]^(t-u) where u <= t\nO[h,t,f]=sum[u in T] A[h,t,u]*V[h,u,f]", lambda r: tq(r,gam=np.array([.9,.5])), lambda i: dict(O=scan(i,lambda t:i.gam[:,None,None])[0]))
lin("retention_norm", QKVT+", gam[H] : f32", "O[H,T,F] : f32", "A[h,t,u in T]=(sum[e] Q[h,t,e]*K[h,u,e])*gam[h]^(t-u) where u <= t\nD[h,t]=max(abs(sum[u in T] A[h,t,u]),1)\nO[h,t,f]=sum[u in T] A[h,t,u]*V[h,u,f]/D[h,t]", lambda r: tq(r,gam=np.array([.9,.5])), lambda i: (lambda A: dict(O=A@i.V/np.maximum(abs(A.sum(-1,keepdims=True)),1)))(E_("hte,hue->htu",i.Q,i.K)*np.tril(i.gam[:,None,None]**np.maximum(ar(19)[:,None]-ar(19),0))), passes=("T",2,1))
lin("logspace_decay_T_S", QKVT+", G[H,T] : f32", "O[H,T,F] : f32, Z[H,T] : f32", "c[h,t]=cumsum[t] G[h,t]\nO[h,t,f]=sum[u in T where u <= t] Q[h,t,0]*exp(c[h,t]-c[h,u])*V[h,u,f]\nZ[h,t]=max[u in T where u <= t] (c[h,t]-c[h,u])".replace("c[h","cc[h"), lambda r: tq(r,G=lambda r:-r.random((2,19))), lambda i: (lambda C: dict(O=i.Q[:,:,:1]*(np.tril(np.exp(C[:,:,None]-C[:,None]))@i.V),Z=np.where(causal(19,19),C[:,:,None]-C[:,None],-inf).max(-1)))(np.cumsum(i.G,1)))
lin("hgrn_scan_log", "Fg[T,D] : f32, I[T,D] : f32", "H[T,D] : f32", "f[t,d]=sigmoid(Fg[t,d])\nH[t,d]=f[t,d]*H[t-1,d]+(1-f[t,d])*silu(I[t,d]) init 0".replace("f[t","fg[t"), lambda r: dict(Fg=n(r,13,4),I=n(r,13,4)), lambda i: (lambda f: dict(H=ema(f,(1-f)*i.I/(1+np.exp(-i.I)))))(1/(1+np.exp(-i.Fg))))
lin("aaren", "Sx[T] : f32, V[T,F] : f32", "O[T,F] : f32", "M1[t]=cummax[t] Sx[t]\nU[t]=U[t-1]*exp((M1[t-1] else -1000)-M1[t])+exp(Sx[t]-M1[t]) init 0\nW[t,f]=W[t-1,f]*exp((M1[t-1] else -1000)-M1[t])+exp(Sx[t]-M1[t])*V[t,f] init 0\nO[t,f]=W[t,f]/U[t]", lambda r: dict(Sx=n(r,13)*3,V=n(r,13,4)), lambda i: dict(O=sm(np.broadcast_to(i.Sx,(13,13)),causal(13,13))@i.V))
lin("cumprod_mask", "A[T,X] : f32", "P[T,X] : f32, M[T,X] : f32, N[T,X] : f32, S[T,X] : f32", "P[t,x]=cumprod[t] A[t,x]\nM[t,x]=cummin[t] A[t,x]\nN[t,x]=cummax[x] A[t,x]\nS[t,x]=cumsum[x] (A[t,x] else 0)", lambda r: dict(A=n(r,9,7)), lambda i: dict(P=np.cumprod(i.A,0),M=np.minimum.accumulate(i.A,0),N=np.maximum.accumulate(i.A,1),S=np.cumsum(i.A,1)))
lin("titans_mom", "U[T,X] : f32, eta[T] : f32, al[T] : f32", "M[T,X] : f32", "S[t,x]=eta[t]*S[t-1,x]-U[t,x] init 0\nM[t,x]=(1-al[t])*M[t-1,x]+S[t,x] init 1", lambda r: dict(U=n(r,13,4),eta=r.random(13),al=r.random(13)), lambda i: (lambda s: (lambda m: dict(M=m))(np.array((lambda o: [o.append((1-i.al[t])*o[-1]+s[t]) for t in range(13)] and o[1:])([np.ones(4)]))))(ema(np.repeat(i.eta[:,None],4,1),-i.U)))
lin("query_recur", "Q0[P,E] : f32, K[M,E] : f32, V[M,E] : f32", "Y[P,E] : f32", "rank L = 3\nX[l,p,e]=(X[l-1,p,e] else Q0[p,e])+(A[l,p,e] else 0)\nS[l,p,m]=sum[e] (if l == 0 then Q0[p,e] else X[l-1,p,e])*K[m,e]\nA[l,p,e]=sum[m] softmax(S[l,p,m]; m)*V[m,e]\nY[p,e]=X[|L|-1,p,e]", lambda r: dict(Q0=n(r,5,4),K=n(r,9,4),V=n(r,9,4)), lambda i: (lambda x: ([x.__setitem__(0,x[0]+sm(x[0]@i.K.T)@i.V) for _ in range(3)],dict(Y=x[0]))[1])([i.Q0]))
lin("newton_schulz", "A[N,N] : f32", "Z[N,N] : f32", "rank I = 6\nA2[r in N,c in N]=A[c,r]/(max[x in N] (sum[y in N] abs(A[x,y])))/(max[y in N] (sum[x in N] abs(A[x,y])))\nB[i,r in N,c in N]=sum[k in N] A[r,k]*W[i-1,k,c]\nW[i,r in N,c in N]=2*W[i-1,r,c]-sum[k in N] W[i-1,r,k]*B[i,k,c] init A2[r,c]\nZ[r in N,c in N]=W[|I|-1,r,c]", lambda r: dict(A=np.eye(5)*3+n(r,5,5)*.3), lambda i: (lambda w: ([w.__setitem__(0,2*w[0]-w[0]@i.A@w[0]) for _ in range(6)],dict(Z=w[0]))[1])([i.A.T/abs(i.A).sum(1).max()/abs(i.A).sum(0).max()]))
